"""What libraries say to those who write for them, kept from who runs the service."""

import sys
import warnings


def hide() -> None:
    """Hide deprecation warnings; `-W` or PYTHONWARNINGS, where one is set, is the user's word.

    Feast asks for them when it is imported, so this comes after.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore", DeprecationWarning)
