"""The exceptions that stand for a mistake their user can mend."""


class UserError(Exception):
    """A mistake in a recipe, a file or an argument.

    The message is one clear sentence that says what is wrong, where, and how to mend it.
    The command line prints it alone, without a traceback, and ends with exit code 1.
    """


class DivergedError(UserError):
    """The loss of a training is not finite any more, and going back did not help."""


class MissingPackageError(UserError, ImportError):
    """An optional package is needed that is not installed; the message says how to install it."""
