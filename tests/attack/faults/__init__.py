"""Full disks, kills, broken environments: what a run leaves behind."""
