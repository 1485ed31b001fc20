package db

import (
	"context"
	"errors"

	"relay/internal/relay"
)

// KeyUse counts the stored secrets by the keys that they need. A value that needs several keys is counted for the last of
// them.
type KeyUse struct {
	ByKey      []int // by the position in ENCRYPTION_KEY
	Bare       int   // not encrypted, or only in part
	Unreadable int   // with none of the keys
}

// KeyUse reads every secret, and changes nothing.
func (s *Store) KeyUse(ctx context.Context) (KeyUse, error) {
	use := KeyUse{ByKey: make([]int, len(s.keys.keys))}
	r := rotation{store: s}
	for _, c := range sealedColumns {
		for last := int64(-1 << 62); ; {
			page, err := r.page(ctx, c, last)
			if err != nil {
				return use, wrap("count secrets by their keys", err)
			}
			if len(page) == 0 {
				break
			}
			for _, v := range page {
				if err := use.add(s.keys, c, v.value); err != nil {
					return use, wrap("count secrets by their keys", err)
				}
			}
			last = page[len(page)-1].id
		}
	}
	return use, nil
}

// add finds the shortest prefix of the list of keys that decrypts a value.
func (u *KeyUse) add(k *Keys, c sealedColumn, value string) error {
	for n := range k.keys {
		fresh, err := c.renew(&Keys{keys: k.keys[:n+1]}, value)
		switch {
		case errors.Is(err, relay.ErrUnreadable):
			continue
		case err != nil:
			return err
		case n == 0 && fresh != value:
			u.Bare++
		default:
			u.ByKey[n]++
		}
		return nil
	}
	u.Unreadable++
	return nil
}
