"""Functions that a model's file holds beside the one that a verdict is about: signatures of TensorFlow and TFLite, methods of TorchScript."""

from __future__ import annotations

from safeconvert.workers.session import Session

_SHOWN = 5


def not_compared(session: Session, side: str) -> tuple[str, ...]:
    """A remark on the functions of a file that were not compared; none where it holds one function.

    Args:
        session: the model.
        side: source or target.

    Raises:
        AdapterFailure: its worker died.
    """
    names = session.others()
    if not names:
        return ()
    told = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    several = len(names) > 1
    return (
        f"the {side} also holds {told}: {'these functions were' if several else 'this function was'} not compared, and the verdict says nothing of "
        f"{'them' if several else 'it'}",
    )
