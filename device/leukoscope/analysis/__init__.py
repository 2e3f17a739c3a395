"""From a micrograph to named cells. Pure: pictures and numbers in, cells and counts out."""
