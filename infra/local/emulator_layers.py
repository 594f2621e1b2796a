"""Layers of the emulator's functions, unpacked once for all environments that use them."""

import hashlib
import io
import shutil
import tempfile
import threading
import zipfile

_folders: dict[str, str] = {}
_lock = threading.Lock()


def unpacked(layer: bytes) -> str:
    """The folder that holds the content of a layer; nobody writes there."""
    digest = hashlib.sha256(layer).hexdigest()
    with _lock:
        if digest not in _folders:
            folder = tempfile.mkdtemp(prefix="squad-layer-")
            with zipfile.ZipFile(io.BytesIO(layer)) as archive:
                archive.extractall(folder)
            _folders[digest] = folder
        return _folders[digest]


def remove() -> None:
    """Remove all of them: no environment runs any more."""
    with _lock:
        for folder in _folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        _folders.clear()
