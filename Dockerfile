# Two images from one file: `site` serves pages and does small jobs, `trainer` has the GPU worker.
#   docker build --target site -t glossa-site .
#   docker build --target trainer -t glossa-trainer .
# BASE is any Debian-like image with Python 3.11 to 3.13 and its venv module.
ARG BASE=python:3.13-slim-bookworm

# Only what names the dependencies comes in here, so that a change of code does not install them again.
# pip stays behind: nothing is installed into a finished image.
FROM ${BASE} AS build
WORKDIR /src
RUN python3 -m venv /opt/glossa
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./

FROM build AS build-site
RUN /opt/glossa/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[site]' \
    && /opt/glossa/bin/pip uninstall --yes pip

# For a machine without a GPU: --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
FROM build AS build-trainer
ARG PIP_EXTRA_INDEX_URL=
RUN /opt/glossa/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[site,train]' \
    && /opt/glossa/bin/pip uninstall --yes pip

FROM ${BASE} AS common
ENV PATH=/opt/glossa/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=hub.settings \
    PYTHONPATH=/app \
    HUB_DATA_DIR=/data \
    HUB_MODELS_DIR=/models
RUN useradd --no-log-init --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin glossa \
    && mkdir /data /models /app \
    && chown glossa:glossa /data /models \
    && chmod 700 /data
WORKDIR /app
COPY LICENSE NOTICE manage.py ./
COPY templates templates
COPY static static
COPY docs docs
COPY hub hub
COPY trainer trainer
# Nobody may write here later, so the bytecode is made now.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash hub trainer
VOLUME ["/data", "/models"]
# By number, so that an orchestrator can see that it is not root.
USER 10001

FROM common AS site
COPY --from=build-site /opt/glossa /opt/glossa
# How many gunicorn processes serve; each has four threads.
ENV WEB_CONCURRENCY=2
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
    ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python3", "-m", "gunicorn", "hub.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--preload", "--threads", "4", "--graceful-timeout", "30", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]

FROM common AS trainer
COPY --from=build-trainer /opt/glossa /opt/glossa
CMD ["python3", "manage.py", "worker", "--queue", "gpu"]
