"""Where releases come from: manifests, bundles, hubs, image registries."""
