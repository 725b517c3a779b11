"""The control process: composition root, API socket, dispatch, and the one way in which an act is done."""
