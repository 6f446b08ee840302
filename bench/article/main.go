// Article serves the intake of clinical records in the designs that trialward is compared with: a
// goroutine per record, the article's channel with a pool of workers, the same pool answering only
// after the insert, and, not the article's, one worker that commits batches. bench/article.py builds and measures it; docs/evidence.md tells
// what came of it.
//
//	article --design task-per-request|channel|after-insert|after-batch --db PATH --listen HOST:PORT
//
// Everything but the design is the same in all, and as fast as we could make it: gin without
// its logger, one prepared writer on SQLite, no log line per record.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
)

// What an honest client never exceeds; trialward has such limits, too.
const bodyBytesMax = 64 << 10

const stopMax = 60 * time.Second

func main() {
	design := flag.String("design", "", "task-per-request, channel, after-insert or after-batch")
	path := flag.String("db", "", "the SQLite file")
	listen := flag.String("listen", "127.0.0.1:0", "HOST:PORT")
	flag.Parse()
	if err := serve(*design, *path, *listen); err != nil {
		log.Fatal("article: ", err)
	}
}

func serve(design, path, listen string) error {
	if path == "" {
		return errors.New("--db: a path is expected")
	}
	store, err := openStore(path)
	if err != nil {
		return err
	}
	figures := &figures{}
	intake, err := newIntake(design, store, figures)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	// bench/server.py waits for these two lines, which trialward prints as well.
	fmt.Printf("listening on http://%s\noperations on http://%s\n", listener.Addr(), listener.Addr())

	server := &http.Server{Handler: routes(intake, store, figures)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-failed:
		return err
	case <-signals:
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopMax)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	intake.drain()
	return store.close()
}

func routes(intake intake, store *store, figures *figures) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	router.GET("/readyz", func(c *gin.Context) { c.String(http.StatusOK, "ready\n") })
	router.GET("/stats", func(c *gin.Context) {
		stats := figures.stats()
		stats["goroutines"] = runtime.NumGoroutine()
		c.JSON(http.StatusOK, stats)
	})
	router.POST("/v1/studies/:study/records", func(c *gin.Context) {
		received := time.Now()
		figures.received.Add(1)
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, bodyBytesMax)
		record, err := readRecord(c.Request.Body)
		if err != nil {
			figures.refused.Add(1)
			c.JSON(http.StatusUnprocessableEntity, faults{[]fault{{"", err.Error()}}})
			return
		}
		record.study = c.Param("study")
		record.received = received
		record.id = store.nextID()
		answer(c, record.id, intake.take(record))
	})
	return router
}

// In trialward's form.
type faults struct {
	Faults []fault `json:"faults"`
}

type fault struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

type stored struct {
	ID     int64    `json:"id"`
	Status string   `json:"status"`
	Alerts []string `json:"alerts"`
}

func answer(c *gin.Context, id int64, err error) {
	switch {
	case err == nil:
		c.JSON(http.StatusCreated, stored{id, "stored", []string{}})
	case errors.Is(err, errRepeated):
		c.JSON(http.StatusOK, stored{id, "repeated", []string{}})
	default:
		c.JSON(http.StatusServiceUnavailable, faults{[]fault{{"", err.Error()}}})
	}
}
