package failure

import (
	"context"
	"fmt"
)

// Canceled returns the error of a download whose context has ended: ErrCanceled, and the context's
// cause where there is another one.
func Canceled(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != context.Canceled {
		return fmt.Errorf("%w: %w", ErrCanceled, cause)
	}
	return ErrCanceled
}
