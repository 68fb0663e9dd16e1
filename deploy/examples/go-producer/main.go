// Command go-producer reports to a ledger that a cluster exists or was deleted, by plain HTTP and without a library of the
// ledger. Its exit code is 0 once the fact is on disk, and 1 if the ledger refuses it or cannot be reached in time.
//
//	go run . -url http://127.0.0.1:8400 -key-file key registered -cluster c1 -account acme -name production
//	go run . -url http://127.0.0.1:8400 -key-file key deleted -cluster c1
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// event is a CloudEvent in structured mode.
type event struct {
	SpecVersion string         `json:"specversion"`
	ID          string         `json:"id"`
	Source      string         `json:"source"`
	Type        string         `json:"type"`
	Subject     string         `json:"subject"`
	Time        string         `json:"time"`
	Data        map[string]any `json:"data"`
}

// refused is an answer that another attempt cannot change.
type refused struct{ answer string }

func (r refused) Error() string { return "the ledger refuses the fact: " + r.answer }

// post sends an event until it is acknowledged. Every attempt sends the same bytes, so that the ledger records the fact once,
// also if an earlier attempt succeeded and only its answer was lost.
func post(ctx context.Context, url, key string, e event) (string, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	for attempt := 0; ; attempt++ {
		answer, wait, err := try(ctx, url, key, body)
		if err == nil {
			return answer, nil
		}
		var final refused
		if errors.As(err, &final) {
			return "", err
		}
		if wait == 0 {
			// From 0.2 seconds to 10, and a random part, so that producers do not all return at once.
			base := 200 * time.Millisecond << min(attempt, 6)
			wait = base/2 + time.Duration(rand.Int63n(int64(base)))
		}
		fmt.Fprintf(os.Stderr, "attempt %d: %v; again in %v\n", attempt+1, err, wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("gave up, the fact may be recorded or not; post the same event again: %w", err)
		case <-time.After(wait):
		}
	}
}

// try sends the event once. It returns how long to wait if the ledger says so.
func try(ctx context.Context, url, key string, body []byte) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/events", bytes.NewReader(body))
	if err != nil {
		return "", 0, refused{err.Error()}
	}
	request.Header.Set("content-type", "application/cloudevents+json")
	if key != "" {
		request.Header.Set("authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return "", 0, err
	}
	switch status := response.StatusCode; {
	case status < 300:
		return string(text), 0, nil
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		seconds, _ := strconv.Atoi(response.Header.Get("retry-after"))
		return "", time.Duration(seconds) * time.Second, fmt.Errorf("%s: %s", response.Status, text)
	default:
		return "", 0, refused{fmt.Sprintf("%s: %s", response.Status, text)}
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func run() error {
	url := flag.String("url", "http://127.0.0.1:8400", "address of the ledger")
	keyFile := flag.String("key-file", "", "file with an API key of the role producer")
	patience := flag.Duration("patience", 5*time.Minute, "how long to try")
	flag.Parse()
	verb := flag.Arg(0)
	if verb != "registered" && verb != "deleted" {
		return errors.New("the first argument must be registered or deleted")
	}
	options := flag.NewFlagSet(verb, flag.ExitOnError)
	cluster := options.String("cluster", "", "id of the cluster")
	account := options.String("account", "", "account that pays (registered)")
	name := options.String("name", "", "name of the cluster (registered)")
	at := options.String("time", time.Now().UTC().Format(time.RFC3339Nano), "when it happened")
	// The id of the event names what happened, not the attempt to report it: take it from your database.
	id := options.String("id", "", "id of the event; by default made of the cluster, the type and the time")
	_ = options.Parse(flag.Args()[1:])
	if *cluster == "" {
		return errors.New("-cluster is required")
	}
	if *id == "" {
		*id = fmt.Sprintf("%s-%s-%s", *cluster, verb, *at)
	}
	key := ""
	if *keyFile != "" {
		text, err := os.ReadFile(*keyFile)
		if err != nil {
			return err
		}
		key = strings.TrimSpace(string(text))
	}
	data := map[string]any{}
	if verb == "registered" {
		data["accountId"] = *account
		data["name"] = *name
	}
	ctx, cancel := context.WithTimeout(context.Background(), *patience)
	defer cancel()
	answer, err := post(ctx, strings.TrimSuffix(*url, "/"), key, event{
		SpecVersion: "1.0", ID: *id, Source: "/go-producer", Type: "io.clusterledger.cluster." + verb + ".v1",
		Subject: *cluster, Time: *at, Data: data,
	})
	if err != nil {
		return err
	}
	fmt.Println(answer)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
