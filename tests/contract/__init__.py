"""The contract, held against what it is about: the documents, the messages, the sessions API.

    python -m contract.documents        # lints the documents, and compares them with the template and the sample messages
    python -m contract.simulated        # reads messages, records and events from standard input
    python -m contract.sessions_api     # starts a stack and asks it thousands of questions
"""
