"""What the squad can do in AWS: one small module for each kind of resource."""
