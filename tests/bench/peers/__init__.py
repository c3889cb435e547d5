"""What a user would write instead of Verdict for Veriff's decisions, built and tried, to be measured beside it."""
