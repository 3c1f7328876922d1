package failure

import "fmt"

// Explained is the refusal of a HeadObject, whose answer has no body and so gives no reason, with
// the error of a GetObject of the same object, which gives it. errors.As finds the code, the status
// and the request id of the GetObject, and then the modelled type of both.
type Explained struct{ Head, Get error }

func (e *Explained) Error() string {
	return fmt.Sprintf("HeadObject was answered with status %d, and GetObject says why: %v", status(e.Head), e.Get)
}

func (e *Explained) Unwrap() []error { return []error{e.Get, e.Head} }
