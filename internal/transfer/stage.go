package transfer

import (
	"fmt"
	"slices"

	"github.com/s3processpool/processpool/internal/failure"
)

// stage is what a transfer does now.
type stage int

const (
	stageChecking   stage = iota // the destination is checked
	stageSizing                  // a HeadObject tells what the object is
	stageOpening                 // the partial file is opened
	stageProbing                 // the first GetObject tells what the object is
	stageCreating                // the temporary file is created; the first GetObject has its slot
	stageFetching                // ranges are fetched
	stageInspecting              // a GetObjectAttributes tells the parts, for they do not verify
	stageProving                 // the file is read back, for a checksum that does not combine
	stageDiscarding              // the temporary file is removed, to start again
	stageFinishing               // the file is put in place
	stageAbandoning              // there is an error; a goroutine of the transfer's own has yet to report
	stageDraining                // there is an error; workers have yet to let go of the caller's file
	stageCleaning                // there is an error; the temporary file is removed
	stageEnded
)

func (s stage) String() string {
	return [...]string{
		"checking", "sizing", "opening", "probing", "creating", "fetching", "inspecting", "proving", "discarding",
		"finishing", "abandoning", "draining", "cleaning", "ended",
	}[s]
}

// transitions are all changes of the stage that there are.
var transitions = [...][]stage{
	stageChecking:   {stageSizing, stageProbing, stageCleaning},
	stageSizing:     {stageOpening, stageProbing, stageFetching, stageCleaning},
	stageOpening:    {stageProbing, stageFetching, stageAbandoning, stageCleaning},
	stageProbing:    {stageCreating, stageFetching, stageDiscarding, stageDraining, stageCleaning},
	stageCreating:   {stageProbing, stageFetching, stageAbandoning, stageCleaning},
	stageFetching:   {stageCreating, stageInspecting, stageProving, stageFinishing, stageDraining, stageCleaning},
	stageInspecting: {stageFetching, stageCleaning},
	stageProving:    {stageFinishing, stageDraining, stageCleaning},
	stageDiscarding: {stageSizing, stageProbing, stageAbandoning},
	stageFinishing:  {stageEnded},
	stageAbandoning: {stageCleaning},
	stageDraining:   {stageCleaning},
	stageCleaning:   {stageEnded},
	stageEnded:      {},
}

// to changes the stage. A transition that is not in the table is a fault of this package: events
// that do not fit a stage are ignored before they come here.
func (t *transfer) to(next stage) {
	if !slices.Contains(transitions[t.stage], next) {
		panic(fmt.Sprintf("processpool: transfer: no transition from %v to %v", t.stage, next))
	}
	t.stage = next
}

// over reports whether the outcome is decided, but for the publication's: events change nothing
// more.
func (s stage) over() bool { return s >= stageFinishing }

// helped reports whether a goroutine of the transfer's own runs that must report before the
// temporary file can be removed.
func (s stage) helped() bool {
	return s == stageOpening || s == stageCreating || s == stageDiscarding
}

// op is the step of an error that ends a transfer in this stage.
func (s stage) op() string {
	switch s {
	case stageChecking:
		return failure.OpCheck
	case stageSizing:
		return failure.OpHead
	case stageOpening:
		return failure.OpOpen
	case stageInspecting, stageProving:
		return failure.OpVerify
	case stageFinishing:
		return failure.OpPublish
	}
	return failure.OpGet
}
