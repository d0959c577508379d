"""The Alibaba CLI's profiles and alibabacloud-credentials' ini file: found, read as UTF-8, one profile picked.

The library would read the CLI's file in the locale's encoding and stumble over a byte order mark, so it is read here.
A file that is not there is no error; one that cannot be read or parsed is, and is named with the reason.
"""

import configparser
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.model.errors import CredentialsError

_DISABLED: Final = ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "ALIBABA_CLOUD_IGNORE_PROFILE")


def home(environment: Mapping[str, str]) -> Path | None:
    """The home directory; None where there is none, as for a user id without an account."""
    if named := environment.get("HOME") or environment.get("USERPROFILE"):
        return Path(named)
    try:
        return Path.home()
    except RuntimeError:
        return None


def expanded(path: str, environment: Mapping[str, str]) -> Path:
    """A path as it was set, `~` replaced."""
    own = home(environment)
    return own / path[2:] if path.startswith("~/") and own else Path(path)


def disabled_by(environment: Mapping[str, str]) -> str | None:
    """The variable that switches the CLI's file off, if one does."""
    return next((name for name in _DISABLED if environment.get(name, "").lower() == "true"), None)


def read_text(path: Path) -> str | None:
    """The text of a file, None if there is none. Raises `CredentialsError` naming it."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise CredentialsError(f"{path} cannot be read: it is not UTF-8") from None


def parse_cli_file(path: Path, text: str) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """The current profile's name, and the profiles by name. Raises `CredentialsError` naming the file."""
    try:
        content = json.loads(text)
    except ValueError as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "unreadable number"
        raise CredentialsError(f"{path} cannot be read: it is not JSON ({where})") from None
    profiles = content.get("profiles") if isinstance(content, dict) else None
    if not isinstance(profiles, list) or not all(isinstance(profile, dict) for profile in profiles):
        raise CredentialsError(f"{path} cannot be read: it has no list of profiles")
    current = content.get("current")
    by_name: dict[str, dict[str, Any]] = {}
    for profile in profiles:
        if isinstance(name := profile.get("name"), str):
            by_name.setdefault(name, profile)
    return (current if isinstance(current, str) and current else None), by_name


def parse_ini_file(path: Path, text: str, section: str) -> dict[str, str] | None:
    """One section of credentials.ini, None if it is not there. Raises `CredentialsError` naming the file."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise CredentialsError(f"{path} cannot be read: {type(error).__name__}") from None
    if section not in parser:
        return None
    return {key: value.partition("#")[0].strip() for key, value in parser.items(section)}
