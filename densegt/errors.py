"""The errors that a user can mend: one clear line, exit code 2."""


class InputError(ValueError):
    """Input or usage is at fault. The message is one line that names the file and, where known, the fix."""


class UnknownCameraError(InputError):
    """A scene has no camera of the name that was asked for."""
