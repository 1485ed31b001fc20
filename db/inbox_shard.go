package db

import (
	"fmt"
	"hash/fnv"
)

// mine reports whether a storefront belongs to this part. The ids may be OMS's own, and all even: so they are mixed.
func (o ClaimOptions) mine(storefront int64) bool {
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, storefront)
	return int(h.Sum32()%uint32(max(1, o.Shards))) == o.Shard //nolint:gosec // a handful
}
