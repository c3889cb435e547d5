"""The commands that look: records, events, payloads, messages, the quarantine, and what comes in. They take
nothing from the queues.

Whatever is shown of a record comes from the sessions API, which logs each look with the operator's ARN.
"""
