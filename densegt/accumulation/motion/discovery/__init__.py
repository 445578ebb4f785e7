"""Detection of rigid movers without annotation: transient points are clustered, tracked and registered."""
