"""The control process: composition root, API socket, dispatch, and the transaction of every act."""
