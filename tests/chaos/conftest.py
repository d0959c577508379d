"""Chaos takes ten seconds in `make test`, and about five minutes with `--hypothesis-profile=chaos` (`make chaos`)."""

from hypothesis import settings

settings.register_profile("chaos", settings.get_profile("here"), print_blob=True)
