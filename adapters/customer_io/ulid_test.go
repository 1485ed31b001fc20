package customerio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestULIDIsMadeOfTimeAndID(t *testing.T) {
	t.Parallel()
	const id = "9b31c2d4e5f60718293a4b5c6d7e8f90"
	require.Equal(t, "01M83PPH00KCRW5N75YR3HGA9T", ulid(time.UnixMilli(1795420800000), id))
	require.Equal(t, "0000000000KCRW5N75YR3HGA9T", ulid(time.UnixMilli(0), id))
	require.Equal(t, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ulid(time.UnixMilli(1<<48-1), "ffffffffffffffffffffffffffffffff"))
	require.Equal(t, "00000000000000000000000000", ulid(time.UnixMilli(0), "00000000000000000000000000000000"))
}
