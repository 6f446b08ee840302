package main

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// figures is what GET /stats tells. Any goroutine may count; a reading is of one moment per number,
// not of one moment for all.
type figures struct {
	received, refused, stored, repeated, failed atomic.Int64

	latency histogram // from the request received to the commit, of what was stored
}

func (f *figures) countStored(received time.Time) {
	f.latency.record(time.Since(received))
	f.stored.Add(1)
}

func (f *figures) stats() map[string]any {
	return map[string]any{
		"received": f.received.Load(), "refused": f.refused.Load(), "stored": f.stored.Load(),
		"repeated": f.repeated.Load(), "failed": f.failed.Load(), "stored_ms": f.latency.figures(),
	}
}

// histogram counts times in microseconds, in buckets 1/64 wide of what they hold, as trialward's
// load generator does; a percentile is its bucket's upper end.
type histogram struct {
	buckets [64 * subBuckets]atomic.Int64
	maxUs   atomic.Int64
}

const (
	subBits    = 6
	subBuckets = 1 << subBits
)

func (h *histogram) record(took time.Duration) {
	us := took.Microseconds()
	h.buckets[bucketOf(uint64(us))].Add(1)
	for before := h.maxUs.Load(); us > before; before = h.maxUs.Load() {
		if h.maxUs.CompareAndSwap(before, us) {
			break
		}
	}
}

func bucketOf(us uint64) int {
	if us < subBuckets {
		return int(us)
	}
	shift := bits.Len64(us) - subBits - 1
	return (shift+1)*subBuckets + int(us>>shift) - subBuckets
}

func upperEndUs(bucket int) uint64 {
	if bucket < subBuckets {
		return uint64(bucket)
	}
	shift := bucket/subBuckets - 1
	return uint64(bucket%subBuckets+subBuckets+1)<<shift - 1
}

func (h *histogram) figures() map[string]any {
	var counts [len(h.buckets)]int64
	var total int64
	for i := range h.buckets {
		counts[i] = h.buckets[i].Load()
		total += counts[i]
	}
	result := map[string]any{"count": total, "max": float64(h.maxUs.Load()) / 1000}
	for name, share := range map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999} {
		var seen int64
		for i, count := range counts {
			seen += count
			if count > 0 && float64(seen) >= share*float64(total) {
				result[name] = float64(upperEndUs(i)) / 1000
				break
			}
		}
	}
	return result
}
