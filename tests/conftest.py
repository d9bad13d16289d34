"""What holds for all tests."""

import os

from hypothesis import settings

# In CI the same examples every time: new ones are for the developer to find.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
