# Two images from one file: `site` serves pages and does small jobs, `trainer` has the GPU worker.
#   docker build --target site -t glossa-site .
#   docker build --target trainer -t glossa-trainer .
# BASE is any Debian-like image with Python 3.11 to 3.13.
ARG BASE=python:3.13-slim-bookworm

# The wheels are made where a compiler may be needed; the images below only copy the result.
FROM ${BASE} AS build
WORKDIR /src
RUN python3 -m venv /opt/glossa
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY hub hub
COPY trainer trainer

FROM build AS build-site
RUN /opt/glossa/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[site]' \
    && /opt/glossa/bin/pip uninstall --yes glossa

FROM build AS build-trainer
RUN /opt/glossa/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[site,train]' \
    && /opt/glossa/bin/pip uninstall --yes glossa

FROM ${BASE} AS common
ENV PATH=/opt/glossa/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=hub.settings \
    HUB_DATA_DIR=/data
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin glossa \
    && mkdir /data /models /app \
    && chown glossa /data /models
WORKDIR /app
COPY manage.py ./
COPY templates templates
COPY static static
COPY docs docs
COPY hub hub
COPY trainer trainer
VOLUME ["/data", "/models"]
# By number, so that an orchestrator can see that it is not root.
USER 10001

FROM common AS site
COPY --from=build-site /opt/glossa /opt/glossa
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
    ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python3", "-m", "gunicorn", "hub.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "4", "--graceful-timeout", "30", "--no-control-socket"]

FROM common AS trainer
COPY --from=build-trainer /opt/glossa /opt/glossa
CMD ["python3", "manage.py", "worker", "--queue", "gpu"]
