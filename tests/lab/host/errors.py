# SPDX-License-Identifier: Apache-2.0
"""What the lab says and how it ends when it cannot do what it was asked."""

# As env(1), nice(1) and the like: the failure is the lab's, not the command's.
EXIT_LAB = 125
# As timeout(1).
EXIT_TIMEOUT = 124


class LabError(Exception):
    """A sentence for the user."""

    def __init__(self, message, code=EXIT_LAB):
        super().__init__(message)
        self.code = code
