"""What Verdict costs: a plan of invocations to measure, a list of prices, and the tables of docs/cost.md."""
