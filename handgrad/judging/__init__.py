"""Rule on a gradient at a point, and sum up the rulings: form, evidence, ruling, report."""
