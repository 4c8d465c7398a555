"""What can go wrong, and what to answer: every error of this package is an `SmppError`."""

from __future__ import annotations


class SmppError(Exception):
    """The SMPP peer or the caller broke a rule of the protocol."""

    status: int = 0x08  # ESME_RSYSERR
    """The command_status (SMPP 3.4, 5.1.3) to answer with when a request caused the error."""

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        if status is not None:
            self.status = status


class FramingError(SmppError):
    """The stream is no longer in step: answer generic_nack, then close the connection."""

    status = 0x02  # ESME_RINVCMDLEN


class UnknownCommandError(SmppError):
    """The command_id is not one of SMPP 3.4: answer generic_nack; the stream is still in step."""

    status = 0x03  # ESME_RINVCMDID


class FieldError(SmppError):
    """A field is too long, unterminated, or out of its range."""

    status = 0x01  # ESME_RINVMSGLEN


class TlvError(SmppError):
    """The optional parameters cannot be told apart, or one of them has a size it cannot have."""

    status = 0xC0  # ESME_RINVOPTPARSTREAM


class StateError(SmppError):
    """The operation is not allowed in the session's present state."""

    status = 0x04  # ESME_RINVBNDSTS


class WindowFullError(SmppError):
    """More requests than the window allows: wait for responses first."""

    status = 0x58  # ESME_RTHROTTLED
