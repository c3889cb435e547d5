"""The operator's command line: deploys a stack, checks it, and looks after what it holds. `make` calls it.

Each command has a module of its own. A module prints what an operator needs to know; whatever the operator can put right
is a `Problem`, of one line. No output ever holds a secret.
"""
