package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/mattn/go-sqlite3"
)

// record is one as it was sent; received, id and study are the server's.
type record struct {
	Source    string   `json:"source"`
	SourceID  string   `json:"source_id"`
	Subject   string   `json:"subject"`
	Kind      string   `json:"kind"`
	Code      string   `json:"code"`
	Value     *float64 `json:"value"`
	Unit      string   `json:"unit"`
	Range     *limits  `json:"range"`
	Effective string   `json:"effective"`

	original []byte
	study    string
	received time.Time
	id       int64
}

type limits struct {
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

func readRecord(body io.Reader) (*record, error) {
	original, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	r := &record{original: original}
	if err := json.Unmarshal(original, r); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"source": r.Source, "source_id": r.SourceID,
		"subject": r.Subject, "kind": r.Kind, "code": r.Code} {
		if text == "" {
			return nil, fmt.Errorf("%s: a text is expected", name)
		}
	}
	return r, nil
}

// errRepeated says that the source has sent this source id before.
var errRepeated = errors.New("repeated")

// The durability is trialward's: a write-ahead log that is synced in every commit. A larger cache
// and fewer checkpoints than SQLite's defaults are what tuning found; see docs/evidence.md.
const pragmas = "?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=10000" +
	"&_cache_size=-65536"

const walPages = 10000 // between checkpoints: some 40 MB

const schema = `
CREATE TABLE IF NOT EXISTS records (
  id INTEGER PRIMARY KEY, study TEXT NOT NULL, source TEXT NOT NULL, source_id TEXT NOT NULL,
  subject TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL, value REAL, unit TEXT,
  low REAL, high REAL, effective TEXT, received_ms INTEGER NOT NULL, original BLOB NOT NULL,
  UNIQUE (study, source, source_id));
CREATE TABLE IF NOT EXISTS audit (
  seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  record INTEGER NOT NULL, hash BLOB NOT NULL);`

// store writes records, each with its audit entry, over one connection:
// SQLite has one writer, and goroutines that wait for a mutex are served sooner than connections
// that sleep until the file is free.
type store struct {
	db *sql.DB

	mutex                                        sync.Mutex // guards all below but lastID
	begin, insertRecord, audit, commit, rollback *sql.Stmt
	seq                                          int64
	head                                         [sha256.Size]byte // the last audit entry's hash

	lastID atomic.Int64
}

func openStore(path string) (*store, error) {
	db, err := sql.Open("sqlite3", "file:"+path+pragmas)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &store{db: db}
	if _, err := conn.ExecContext(ctx, schema); err != nil {
		return nil, err
	}
	checkpoints := fmt.Sprintf("PRAGMA wal_autocheckpoint=%d", walPages)
	if _, err := conn.ExecContext(ctx, checkpoints); err != nil {
		return nil, err
	}
	var synchronous int64
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return nil, err
	}
	if synchronous != 2 {
		return nil, fmt.Errorf("PRAGMA synchronous is %d, expected 2", synchronous)
	}
	if err := s.load(ctx, conn); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx, conn)
}

// load reads where an earlier run left off.
func (s *store) load(ctx context.Context, conn *sql.Conn) error {
	var id int64
	last := conn.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM records")
	if err := last.Scan(&id); err != nil {
		return err
	}
	s.lastID.Store(id)
	var hash []byte
	err := conn.QueryRowContext(ctx, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").
		Scan(&s.seq, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	copy(s.head[:], hash)
	return nil
}

func (s *store) prepare(ctx context.Context, conn *sql.Conn) error {
	for _, statement := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&s.begin, "BEGIN IMMEDIATE"},
		{&s.insertRecord, "INSERT INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) " +
			"ON CONFLICT (study, source, source_id) DO NOTHING"},
		{&s.audit, "INSERT INTO audit VALUES (?,?,?,?,?,?)"},
		{&s.commit, "COMMIT"},
		{&s.rollback, "ROLLBACK"},
	} {
		prepared, err := conn.PrepareContext(ctx, statement.sql)
		if err != nil {
			return err
		}
		*statement.to = prepared
	}
	return nil
}

// nextID is given out before the insert, as two of the designs answer before it.
func (s *store) nextID() int64 { return s.lastID.Add(1) }

// insert returns when the record and its audit entry are committed.
func (s *store) insert(r *record) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, err := s.begin.Exec(); err != nil {
		return err
	}
	seq, head := s.seq, s.head
	err := s.append(r)
	if err == nil {
		_, err = s.commit.Exec()
	}
	if err != nil {
		s.seq, s.head = seq, head
		return s.abandon(err)
	}
	return nil
}

// insertAll stores a batch in one transaction and returns when it is committed; a record that was
// sent before is left out, which its place in the result tells. After an error nothing is stored.
func (s *store) insertAll(batch []*record) ([]error, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, err := s.begin.Exec(); err != nil {
		return nil, err
	}
	seq, head := s.seq, s.head
	outcomes := make([]error, len(batch))
	var err error
	for i, r := range batch {
		if outcomes[i] = s.append(r); outcomes[i] != nil && !errors.Is(outcomes[i], errRepeated) {
			err = outcomes[i]
			break
		}
	}
	if err == nil {
		_, err = s.commit.Exec()
	}
	if err != nil {
		s.seq, s.head = seq, head
		return nil, s.abandon(err)
	}
	return outcomes, nil
}

// append adds the record and its audit entry to the transaction that is open.
func (s *store) append(r *record) error {
	var low, high *float64
	if r.Range != nil {
		low, high = r.Range.Low, r.Range.High
	}
	result, err := s.insertRecord.Exec(r.id, r.study, r.Source, r.SourceID, r.Subject, r.Kind,
		r.Code, r.Value, r.Unit, low, high, r.Effective, r.received.UnixMilli(), r.original)
	if err != nil {
		return err
	}
	inserted, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if inserted == 0 {
		return errRepeated
	}
	seq, atMs := s.seq+1, time.Now().UnixMilli()
	hash := chain(s.head, seq, atMs, r)
	if _, err := s.audit.Exec(seq, atMs, "feed", "record", r.id, hash[:]); err != nil {
		return err
	}
	s.seq, s.head = seq, hash
	return nil
}

// abandon ends the transaction without a trace, and gives back why.
func (s *store) abandon(why error) error {
	if _, err := s.rollback.Exec(); err != nil {
		return fmt.Errorf("%w; and the rollback failed: %v", why, err)
	}
	return why
}

func (s *store) close() error { return s.db.Close() }

// chain hashes an audit entry and its record together with the entry before it.
func chain(before [sha256.Size]byte, seq, atMs int64, r *record) [sha256.Size]byte {
	bytes := make([]byte, 0, 512)
	bytes = append(bytes, before[:]...)
	number := func(n uint64) { bytes = binary.LittleEndian.AppendUint64(bytes, n) }
	text := func(s string) {
		number(uint64(len(s)))
		bytes = append(bytes, s...)
	}
	number(uint64(seq))
	number(uint64(atMs))
	number(uint64(r.id))
	number(uint64(r.received.UnixMilli()))
	for _, s := range []string{"feed", "record", r.study, r.Source, r.SourceID, r.Subject, r.Kind,
		r.Code, r.Unit, r.Effective} {
		text(s)
	}
	if r.Value != nil {
		number(math.Float64bits(*r.Value))
	}
	number(uint64(len(r.original)))
	bytes = append(bytes, r.original...)
	return sha256.Sum256(bytes)
}
