"""The commands that look: records, events, payloads, what was told, and the quarantine. They take nothing from anybody.

Whatever is shown of a record comes from the sessions API, which logs each look with the operator's ARN.
"""
