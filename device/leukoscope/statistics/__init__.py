"""What the counts mean: intervals, misclassification, findings and the rules behind them."""
