"""leukoscope counts and classifies the cells of a stained blood smear, on the microscope."""

__version__ = "0.1.0"
