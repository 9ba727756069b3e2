// Writes to an etcd cluster over gRPC, or reads from it (linearizable), each client with one
// operation under way:
//
//	etcd-load ENDPOINT CLIENTS SIZE SECONDS write|read
//
// One JSON object is printed. It is built and run by side_by_side.py where etcd's Go client is
// installed (Debian: golang-go golang-etcd-server-dev).
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/clientv3"
)

func number(at int) int {
	value, problem := strconv.Atoi(os.Args[at])
	if problem != nil || value <= 0 {
		fmt.Fprintln(os.Stderr, "usage: etcd-load ENDPOINT CLIENTS SIZE SECONDS write|read")
		os.Exit(2)
	}
	return value
}

func ask(server *clientv3.Client, name string, value string, reads bool) error {
	limit, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if reads {
		_, problem := server.Get(limit, name)
		return problem
	}
	_, problem := server.Put(limit, name, value)
	return problem
}

// How long each operation of one client took, until the end.
func play(server *clientv3.Client, name string, value string, reads bool,
	end time.Time) []time.Duration {
	var took []time.Duration
	for time.Now().Before(end) {
		begun := time.Now()
		if ask(server, name, value, reads) == nil {
			took = append(took, time.Since(begun))
		}
	}
	return took
}

func main() {
	if len(os.Args) != 6 || (os.Args[5] != "write" && os.Args[5] != "read") {
		fmt.Fprintln(os.Stderr, "usage: etcd-load ENDPOINT CLIENTS SIZE SECONDS write|read")
		os.Exit(2)
	}
	clients, size, seconds := number(2), number(3), number(4)
	reads := os.Args[5] == "read"
	value := strings.Repeat("v", size)
	// One gRPC connection carries many streams; a few of them are faster than one.
	var servers []*clientv3.Client
	for i := 0; i < clients && i < 16; i++ {
		server, problem := clientv3.New(clientv3.Config{
			Endpoints: []string{os.Args[1]}, DialTimeout: 5 * time.Second})
		if problem != nil {
			fmt.Fprintln(os.Stderr, "etcd-load: connecting:", problem)
			os.Exit(1)
		}
		servers = append(servers, server)
	}
	for i := 0; reads && i < clients; i++ {
		if problem := ask(servers[0], fmt.Sprintf("bench/%d", i), value, false); problem != nil {
			fmt.Fprintln(os.Stderr, "etcd-load: writing what is to be read:", problem)
			os.Exit(1)
		}
	}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	results := make([][]time.Duration, clients)
	var all sync.WaitGroup
	for i := 0; i < clients; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			results[i] = play(servers[i%len(servers)], fmt.Sprintf("bench/%d", i), value, reads,
				end)
		}(i)
	}
	all.Wait()
	var took []time.Duration
	for _, some := range results {
		took = append(took, some...)
	}
	if len(took) == 0 {
		fmt.Fprintln(os.Stderr, "etcd-load: nothing was answered")
		os.Exit(1)
	}
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	fmt.Printf("{\"per_second\":%d,\"p50_us\":%d,\"p99_us\":%d}\n", len(took)/seconds,
		took[len(took)/2].Microseconds(), took[len(took)*99/100].Microseconds())
}
