"""Rule packs: TOML text read strictly into frozen data, and a lint of its meaning."""
