"""`leukoscope trend` and `leukoscope check`: is the instrument still what it was?"""
