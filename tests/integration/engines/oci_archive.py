# SPDX-License-Identifier: Apache-2.0
"""An image of one layer in the OCI's format, as one tar file (image-spec: image-layout.md, manifest.md, config.md)."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

KIND = "application/vnd.oci.image."


class Layout:
    def __init__(self, file):
        self.file = file

    def add(self, name, data):
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        self.file.addfile(entry, io.BytesIO(data))

    def blob(self, kind, data):
        """Adds a blob; its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self.add(f"blobs/sha256/{digest}", data)
        return {"mediaType": KIND + kind, "digest": f"sha256:{digest}", "size": len(data)}


def as_json(value):
    return json.dumps(value).encode()


def write_archive(archive, layer_tar, name, env, command=("sh",)):
    """`name` is what containerd calls the image."""
    layer = Path(layer_tar).read_bytes()
    with tarfile.open(archive, "w") as file:
        layout = Layout(file)
        config = {"architecture": "amd64", "os": "linux", "config": {"Env": env, "Cmd": list(command), "WorkingDir": "/"},
                  "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}}
        manifest = {"schemaVersion": 2, "mediaType": f"{KIND}manifest.v1+json",
                    "config": layout.blob("config.v1+json", as_json(config)), "layers": [layout.blob("layer.v1.tar", layer)]}
        described = layout.blob("manifest.v1+json", as_json(manifest))
        described["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": "test"}
        layout.add("index.json", as_json({"schemaVersion": 2, "manifests": [described]}))
        layout.add("oci-layout", as_json({"imageLayoutVersion": "1.0.0"}))
