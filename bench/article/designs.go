package main

import (
	"errors"
	"fmt"
	"log"
	"sync"
)

// The article's numbers.
const (
	queueRecords = 1024
	workers      = 10
)

// As trialward's.
const batchRecords = 512

// intake is a design: take returns when the request may be answered, with what to answer.
// drain returns when everything taken is stored; nothing is taken any more by then.
type intake interface {
	take(r *record) error
	drain()
}

func newIntake(design string, store *store, figures *figures) (intake, error) {
	switch design {
	case "task-per-request":
		return &taskPerRequest{store: store, figures: figures}, nil
	case "channel":
		return &channel{newPool(store, figures)}, nil
	case "after-insert":
		return &afterInsert{newPool(store, figures)}, nil
	case "after-batch":
		return newAfterBatch(store, figures), nil
	}
	return nil, fmt.Errorf("--design: task-per-request, channel, after-insert or after-batch is "+
		"expected, not %q", design)
}

// process stores one record and counts what became of it.
func process(store *store, figures *figures, r *record) error {
	err := store.insert(r)
	count(figures, r, err)
	return err
}

func count(figures *figures, r *record, err error) {
	switch {
	case err == nil:
		figures.countStored(r.received)
	case errors.Is(err, errRepeated):
		figures.repeated.Add(1)
	default:
		figures.failed.Add(1)
		log.Printf("record %s of %s is not stored: %v", r.SourceID, r.Source, err)
	}
}

// taskPerRequest is the article's first anti-pattern: nobody knows how many tasks there are, and
// the sender is told "stored" before anything is.
type taskPerRequest struct {
	store   *store
	figures *figures
	tasks   sync.WaitGroup // the article has none; without it an orderly stop would lose records
}

func (t *taskPerRequest) take(r *record) error {
	t.tasks.Add(1)
	go func() {
		defer t.tasks.Done()
		// What failed is counted and logged; there is no one left to tell.
		_ = process(t.store, t.figures, r)
	}()
	return nil
}

func (t *taskPerRequest) drain() { t.tasks.Wait() }

type job struct {
	record *record
	done   chan error // where the outcome is wanted; nil where nobody waits for it
}

// pool is the article's cure: workers that share a buffered channel.
type pool struct {
	jobs    chan job
	running sync.WaitGroup
}

func newPool(store *store, figures *figures) *pool {
	p := &pool{jobs: make(chan job, queueRecords)}
	p.running.Add(workers)
	for i := 0; i < workers; i++ {
		go func() {
			defer p.running.Done()
			for j := range p.jobs {
				err := process(store, figures, j.record)
				if j.done != nil {
					j.done <- err
				}
			}
		}()
	}
	return p
}

func (p *pool) drain() {
	close(p.jobs)
	p.running.Wait()
}

// channel is the article's design as printed: a record in the channel is answered.
type channel struct{ *pool }

func (c *channel) take(r *record) error {
	c.jobs <- job{record: r}
	return nil
}

// afterInsert is that design made safe: the answer waits for the commit.
type afterInsert struct{ *pool }

func (a *afterInsert) take(r *record) error {
	done := make(chan error, 1)
	a.jobs <- job{record: r, done: done}
	return <-done
}

// afterBatch is not the article's: one worker commits whatever waits in the channel as one batch,
// as trialward does, and answers after that. It tells what of the difference is the design's.
type afterBatch struct {
	jobs    chan job
	running sync.WaitGroup
}

func newAfterBatch(store *store, figures *figures) *afterBatch {
	a := &afterBatch{jobs: make(chan job, queueRecords)}
	a.running.Add(1)
	go func() {
		defer a.running.Done()
		for first := range a.jobs {
			a.process(store, figures, a.batch(first))
		}
	}()
	return a
}

// batch is the job and those that wait behind it; it waits for none.
func (a *afterBatch) batch(first job) []job {
	batch := []job{first}
	for len(batch) < batchRecords {
		select {
		case next, open := <-a.jobs:
			if !open {
				return batch
			}
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (a *afterBatch) process(store *store, figures *figures, batch []job) {
	records := make([]*record, len(batch))
	for i, j := range batch {
		records[i] = j.record
	}
	outcomes, err := store.insertAll(records)
	for i, j := range batch {
		outcome := err
		if err == nil {
			outcome = outcomes[i]
		}
		count(figures, j.record, outcome)
		j.done <- outcome
	}
}

func (a *afterBatch) take(r *record) error {
	done := make(chan error, 1)
	a.jobs <- job{record: r, done: done}
	return <-done
}

func (a *afterBatch) drain() {
	close(a.jobs)
	a.running.Wait()
}
