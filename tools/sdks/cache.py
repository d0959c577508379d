"""What is made once per machine, in the user's cache folder that all clones share: whole, or not there."""

import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

from tools import engine

SCRATCH: Final = ".sdks-"  # not the engine's own prefix: whoever makes an engine removes what starts with that


def kept(name: str, sources: Iterable[Path], make: Callable[[Path], None]) -> Path:
    """The file or folder made from these sources on this kind of machine; `make` fills the path that it is given."""
    root = engine.cache_root()
    home = root / f"{name}-{_key(sources)}"
    if not home.exists():
        root.mkdir(parents=True, exist_ok=True)
        with engine.locked(root / "sdks.lock"):
            if not home.exists():
                _make(home, make)
    return home


def needed(command: str, what: str) -> str:
    """The path of a command. Raises `EngineError` with what to install."""
    if found := shutil.which(command):
        return found
    message = f"there is no `{command}` on PATH: install {what}, then run the same command again"
    raise engine.EngineError(message)


def _key(sources: Iterable[Path]) -> str:
    text = b"".join(path.read_bytes() for path in sources) + f"{platform.system()} {platform.machine()}".encode()
    return sha256(text).hexdigest()[:12]


def _make(home: Path, make: Callable[[Path], None]) -> None:
    for left in home.parent.glob(f"{SCRATCH}*"):  # by a run that was killed: the lock is ours
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=home.parent) as scratch:
        made = Path(scratch, "made")
        make(made)
        made.rename(home)
