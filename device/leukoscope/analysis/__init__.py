"""From a micrograph to counted cells. Pure: pictures and numbers in, cells and counts out."""
