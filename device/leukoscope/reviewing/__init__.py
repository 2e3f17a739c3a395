"""What people do to reports after the instrument has counted: review, sign, amend, correct, and look at the trail."""
