package transfer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// An event is something that happens to a transfer from outside. happens reports false if it cannot
// happen now.
type event struct {
	name    string
	happens func(*fixture) bool
}

// cannot marks an event that cannot happen in a stage: no job and no goroutine is there to report
// it.
const cannot = stage(-1)

var events = []event{
	{"helper", func(f *fixture) bool { return f.help(0) }},
	{"helper fails", func(f *fixture) bool {
		defer f.env.Files.SetFault(func(op, _ string) error {
			if op == "remove" { // whose failure leaves the file, and changes nothing else
				return nil
			}
			return errors.New("a fault")
		})()
		return f.help(0)
	}},
	{"answer", func(f *fixture) bool { return f.answer(good) }},
	{"error", func(f *fixture) bool { return f.answer(failed) }},
	{"answer to another job", func(f *fixture) bool {
		return f.answer(func(*ipc.Job) *ipc.Result { return &ipc.Result{List: &ipc.Page{}} })
	}},
	{"unsuited", func(f *fixture) bool {
		return f.answer(func(*ipc.Job) *ipc.Result { return &ipc.Result{Get: &ipc.GetResult{Unsuited: true}} })
	}},
	{"short", func(f *fixture) bool {
		return f.answer(func(*ipc.Job) *ipc.Result { return &ipc.Result{Get: &ipc.GetResult{Object: object, Written: 3}} })
	}},
	{"found", func(f *fixture) bool {
		return f.says(func(id uint64) { f.worker.Found(&ipc.Found{ID: id, Object: object}) })
	}},
	{"progress", func(f *fixture) bool {
		return f.says(func(id uint64) { f.worker.Progress(&ipc.Progress{ID: id, Written: 2}) })
	}},
	{"retry", func(f *fixture) bool {
		return f.says(func(id uint64) { f.worker.Retry(&ipc.Retry{ID: id, Attempt: 1, Kind: failure.KindUnexpected}) })
	}},
	{"lost", func(f *fixture) bool {
		has := len(f.worker.Jobs) > 0
		f.worker.Down()
		f.up()
		return has
	}},
	{"lost before it was read", func(f *fixture) bool {
		var ids []uint64
		for _, j := range f.worker.Jobs {
			ids = append(ids, j.ID)
		}
		f.worker.Down(ids...)
		f.up()
		return len(ids) > 0
	}},
	{"cancel", func(f *fixture) bool {
		f.on(func() { f.loop.Cancel(&f.download, failure.ErrCanceled) })
		return true
	}},
	{"abort", func(f *fixture) bool {
		f.on(func() {
			if task := f.download.ticket.Task(); task != nil {
				task.Abort(failure.OpStart, errors.New("no worker"))
			}
		})
		return true
	}},
	{"journal fails", func(f *fixture) bool { // also where there is none: the report may come late
		if t := f.transfer(); t != nil {
			f.on(func() { t.fail(failure.OpSync, errors.New("EIO")) })
		}
		return true
	}},
}

// says has the worker say something of its oldest job.
func (f *fixture) says(word func(id uint64)) bool {
	if len(f.worker.Jobs) == 0 {
		return false
	}
	word(f.worker.Jobs[0].ID)
	f.sync()
	return true
}

// expecting has the download expect the SHA256 that good tells of the file.
func expecting(f *fixture) {
	f.request.Expect, _ = checksum.Expect([]checksum.Digest{{Algorithm: checksum.SHA256, Value: strings.Repeat("A", 43) + "="}})
}

// unexpecting has it expect another one.
func unexpecting(f *fixture) {
	expecting(f)
	f.request.Expect[0].Value = strings.Repeat("B", 42) + "A="
}

func resumed(f *fixture)  { f.request.Resume = true }
func skipHead(f *fixture) { f.request.SkipHead = true }
func expected(f *fixture) { f.request.ExpectedSize = size }

// given has the bytes written to a file of the caller's.
func given(f *fixture) {
	file, err := os.Create(filepath.Join(f.t.TempDir(), "given"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.request.File = file
	f.download.Into(file)
}

// A situation is a stage, by one of the ways that lead there.
type situation struct {
	name    string
	stage   stage
	options []func(*fixture)
	reach   []string // events, from the start on
	want    map[string]stage
}

// after is the stage after each event, where it is the same for all situations of a kind.
func after(common stage, others map[string]stage) map[string]stage {
	want := map[string]stage{}
	for _, e := range events {
		want[e.name] = common
	}
	for name, s := range others {
		want[name] = s
	}
	return want
}

// words are the events of a worker that has a job.
var words = []string{"answer", "error", "answer to another job", "unsuited", "short", "found", "progress", "retry", "lost", "lost before it was read"}

// quiet is after, in a stage without a job.
func quiet(common stage, others map[string]stage) map[string]stage {
	want := after(common, others)
	for _, w := range words {
		want[w] = cannot
	}
	return want
}

func situations() []situation {
	ending := map[string]stage{"cancel": stageCleaning, "abort": stageCleaning, "journal fails": stageCleaning}
	with := func(others map[string]stage) map[string]stage {
		all := map[string]stage{}
		for k, v := range ending {
			all[k] = v
		}
		for k, v := range others {
			all[k] = v
		}
		return all
	}
	abandoned := map[string]stage{"cancel": stageAbandoning, "abort": stageAbandoning, "journal fails": stageAbandoning}
	helped := func(others map[string]stage) map[string]stage {
		for k, v := range abandoned {
			others[k] = v
		}
		return others
	}
	return []situation{
		{"checking", stageChecking, nil, nil,
			quiet(stageChecking, with(map[string]stage{"helper": stageSizing, "helper fails": stageSizing}))},
		{"checking, SkipHead", stageChecking, []func(*fixture){skipHead}, nil,
			quiet(stageChecking, with(map[string]stage{"helper": stageCreating, "helper fails": stageCreating}))},
		{"sizing", stageSizing, nil, []string{"helper"},
			after(stageSizing, with(map[string]stage{
				"helper": cannot, "helper fails": cannot,
				"answer": stageCreating, "error": stageCleaning, "answer to another job": stageCleaning,
				"unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"sizing, for a file of the caller's", stageSizing, []func(*fixture){given}, []string{"helper"},
			after(stageSizing, with(map[string]stage{
				"helper": cannot, "helper fails": cannot,
				"answer": stageCreating, "error": stageCleaning, "answer to another job": stageCleaning,
				"unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"opening", stageOpening, []func(*fixture){resumed}, []string{"helper", "answer"},
			quiet(stageOpening, helped(map[string]stage{"helper": stageFetching, "helper fails": stageCleaning}))},
		{"creating for a probe", stageCreating, []func(*fixture){skipHead}, []string{"helper"},
			quiet(stageCreating, helped(map[string]stage{"helper": stageProbing, "helper fails": stageCleaning}))},
		{"creating", stageCreating, nil, []string{"helper", "answer"},
			quiet(stageCreating, helped(map[string]stage{"helper": stageFetching, "helper fails": stageCleaning}))},
		{"probing, size unknown", stageProbing, []func(*fixture){skipHead}, []string{"helper", "helper"},
			after(stageProbing, with(map[string]stage{
				"helper": cannot, "helper fails": cannot,
				"answer": stageFinishing, "error": stageCleaning, "answer to another job": stageCleaning,
				"unsuited": stageDiscarding, "short": stageCleaning, "found": stageFetching, "lost": stageDiscarding,
			}))},
		{"probing, size expected", stageProbing, []func(*fixture){expected}, []string{"helper", "helper"},
			after(stageProbing, with(map[string]stage{
				"helper": cannot, "helper fails": cannot,
				"answer": stageFetching, "error": stageCleaning, "answer to another job": stageCleaning,
				"unsuited": stageCleaning, "short": stageCleaning, "found": stageFetching,
			}))},
		{"fetching", stageFetching, nil, []string{"helper", "answer", "helper"},
			after(stageFetching, with(map[string]stage{
				"helper": cannot, "helper fails": cannot, "error": stageCleaning, "answer to another job": stageCleaning,
				"unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"fetching the last range", stageFetching, nil, []string{"helper", "answer", "helper", "answer"},
			after(stageFetching, with(map[string]stage{
				"helper": cannot, "helper fails": cannot, "answer": stageFinishing, "error": stageCleaning,
				"answer to another job": stageCleaning, "unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"fetching, resumable", stageFetching, []func(*fixture){resumed}, []string{"helper", "answer", "helper"},
			after(stageFetching, with(map[string]stage{
				"helper": cannot, "helper fails": cannot, "error": stageCleaning, "answer to another job": stageCleaning,
				"unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"fetching into a file of the caller's", stageFetching, []func(*fixture){given}, []string{"helper", "answer", "helper"},
			after(stageFetching, map[string]stage{
				"helper": cannot, "helper fails": cannot, "error": stageDraining, "answer to another job": stageDraining,
				"unsuited": stageDraining, "short": stageDraining, "cancel": stageDraining, "abort": stageDraining,
				"journal fails": stageDraining,
			})},
		{"probing a file of the caller's", stageProbing, []func(*fixture){given, expected}, []string{"helper", "helper"},
			after(stageProbing, map[string]stage{
				"helper": cannot, "helper fails": cannot,
				"answer": stageFetching, "error": stageCleaning, "answer to another job": stageCleaning,
				"unsuited": stageCleaning, "short": stageCleaning, "found": stageFetching, "cancel": stageDraining,
				"abort": stageDraining, "journal fails": stageDraining,
			})},
		{"draining, two jobs", stageDraining, []func(*fixture){given}, []string{"helper", "answer", "helper", "cancel"},
			after(stageDraining, map[string]stage{
				"helper": cannot, "helper fails": cannot, "lost": stageCleaning, "lost before it was read": stageCleaning,
			})},
		{"draining, one job", stageDraining, []func(*fixture){given, expected}, []string{"helper", "helper", "cancel"},
			after(stageDraining, map[string]stage{
				"helper": cannot, "helper fails": cannot, "answer": stageCleaning, "error": stageCleaning,
				"answer to another job": stageCleaning, "unsuited": stageCleaning, "short": stageCleaning,
				"lost": stageCleaning, "lost before it was read": stageCleaning,
			})},
		{"inspecting", stageInspecting, nil, []string{"helper", "composite", "helper", "answer", "answer"},
			after(stageInspecting, with(map[string]stage{
				"helper": cannot, "helper fails": cannot, "answer": stageCleaning, "error": stageCleaning,
				"answer to another job": stageCleaning, "unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"inspecting, for a file of the caller's", stageInspecting, []func(*fixture){given}, []string{"helper", "composite", "helper", "answer", "answer"},
			after(stageInspecting, with(map[string]stage{
				"helper": cannot, "helper fails": cannot, "answer": stageCleaning, "error": stageCleaning,
				"answer to another job": stageCleaning, "unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"proving", stageProving, []func(*fixture){expecting}, []string{"helper", "answer", "helper", "answer", "answer"},
			after(stageProving, with(map[string]stage{
				"helper": cannot, "helper fails": cannot, "answer": stageFinishing, "error": stageCleaning,
				"answer to another job": stageCleaning, "unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"proving, for a file of the caller's", stageProving, []func(*fixture){given, expecting}, []string{"helper", "answer", "helper", "answer", "answer"},
			after(stageProving, map[string]stage{
				"helper": cannot, "helper fails": cannot, "answer": stageFinishing, "error": stageCleaning,
				"answer to another job": stageCleaning, "unsuited": stageCleaning, "short": stageCleaning,
				"cancel": stageDraining, "abort": stageDraining, "journal fails": stageDraining,
			})},
		{"proving otherwise", stageProving, []func(*fixture){unexpecting}, []string{"helper", "answer", "helper", "answer", "answer"},
			after(stageProving, with(map[string]stage{
				"helper": cannot, "helper fails": cannot, "answer": stageCleaning, "error": stageCleaning,
				"answer to another job": stageCleaning, "unsuited": stageCleaning, "short": stageCleaning,
			}))},
		{"discarding, to ask for the size", stageDiscarding, []func(*fixture){skipHead}, []string{"helper", "helper", "unsuited"},
			quiet(stageDiscarding, helped(map[string]stage{"helper": stageSizing, "helper fails": stageSizing}))},
		{"discarding, to probe again", stageDiscarding, []func(*fixture){skipHead}, []string{"helper", "helper", "lost"},
			quiet(stageDiscarding, helped(map[string]stage{"helper": stageCreating, "helper fails": stageCreating}))},
		{"finishing", stageFinishing, nil, []string{"helper", "answer", "helper", "answer", "answer"},
			quiet(stageFinishing, map[string]stage{"helper": stageEnded, "helper fails": stageEnded})},
		{"abandoning, from opening", stageAbandoning, []func(*fixture){resumed}, []string{"helper", "answer", "cancel"},
			quiet(stageAbandoning, map[string]stage{"helper": stageCleaning, "helper fails": stageCleaning})},
		{"abandoning, from creating", stageAbandoning, nil, []string{"helper", "answer", "cancel"},
			quiet(stageAbandoning, map[string]stage{"helper": stageCleaning, "helper fails": stageCleaning})},
		{"abandoning, from discarding", stageAbandoning, []func(*fixture){skipHead}, []string{"helper", "helper", "unsuited", "cancel"},
			quiet(stageAbandoning, map[string]stage{"helper": stageCleaning, "helper fails": stageCleaning})},
		{"cleaning, jobs under way", stageCleaning, nil, []string{"helper", "answer", "helper", "cancel"},
			after(stageCleaning, map[string]stage{"helper": stageEnded, "helper fails": stageEnded})},
		{"cleaning, the destination still checked", stageCleaning, nil, []string{"cancel"},
			quiet(stageCleaning, nil)}, // the first helper is the check, whose report comes too late
		{"ended, jobs under way", stageEnded, nil, []string{"helper", "answer", "helper", "cancel", "helper"},
			after(stageEnded, map[string]stage{"helper": cannot, "helper fails": cannot})},
		{"ended, the destination still checked", stageEnded, nil, []string{"cancel", "second helper"},
			quiet(stageEnded, nil)},
	}
}

// Every event, in every stage, leads where it should, or cannot happen; and whatever has happened,
// the download ends and leaves nothing.
func TestStages(t *testing.T) {
	reachOnly := []event{
		{"composite", func(f *fixture) bool { return f.answer(composite) }},
		{"second helper", func(f *fixture) bool { return f.help(1) }},
	}
	find := func(name string) event {
		all := append(slices.Clone(events), reachOnly...)
		return all[slices.IndexFunc(all, func(e event) bool { return e.name == name })]
	}
	seen := map[stage]bool{}
	for _, s := range situations() {
		seen[s.stage] = true
		for _, e := range events {
			t.Run(fmt.Sprintf("%s/%s", s.name, e.name), func(t *testing.T) {
				f := newFixture(t, s.options...)
				task := f.transfer()
				for _, name := range s.reach {
					if !find(name).happens(f) {
						t.Fatalf("%s: it cannot happen in %v", name, task.stage)
					}
				}
				if task.stage != s.stage {
					t.Fatalf("the situation is %v, want %v", task.stage, s.stage)
				}
				happened := e.happens(f)
				switch want := s.want[e.name]; {
				case happened != (want != cannot):
					t.Errorf("it happened: got %v", happened)
				case happened && task.stage != want:
					t.Errorf("got %v, want %v", task.stage, want)
				}
			})
		}
	}
	for s := range transitions {
		if !seen[stage(s)] {
			t.Errorf("%v: there is no situation", stage(s))
		}
	}
}

// Each transition of the table is one that TestStages makes, or a first step to it; any other
// panics.
func TestTransitions(t *testing.T) {
	for from := range transitions {
		for to := range transitions {
			allowed := slices.Contains(transitions[from], stage(to))
			func() {
				defer func() {
					if (recover() == nil) != allowed {
						t.Errorf("from %v to %v: got allowed %v, want %v", stage(from), stage(to), !allowed, allowed)
					}
				}()
				x := &transfer{stage: stage(from)}
				x.to(stage(to))
			}()
		}
	}
}
