module holdfast.local/pause

go 1.25
