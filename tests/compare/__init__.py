"""What Verdict answers, stores and sends of every sample, compared member by member with what an earlier build did."""
