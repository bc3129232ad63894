// analytics-go v3, unmodified. It has a struct for each call and for the context, so the calls are decoded
// through them; what the context's struct does not know goes into its Extra.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

type call struct {
	Type         string                 `json:"type"`
	MessageID    string                 `json:"messageId"`
	AnonymousID  string                 `json:"anonymousId"`
	UserID       string                 `json:"userId"`
	PreviousID   string                 `json:"previousId"`
	GroupID      string                 `json:"groupId"`
	Event        string                 `json:"event"`
	Name         string                 `json:"name"`
	Category     string                 `json:"category"`
	Timestamp    time.Time              `json:"timestamp"`
	Traits       map[string]interface{} `json:"traits"`
	Properties   map[string]interface{} `json:"properties"`
	Integrations map[string]interface{} `json:"integrations"`
	Context      map[string]interface{} `json:"context"`
}

func text(value interface{}) string {
	s, _ := value.(string)
	return s
}

func contextOf(c call) *analytics.Context {
	if c.Context == nil {
		return nil
	}
	context := &analytics.Context{Extra: map[string]interface{}{}}
	for name, value := range c.Context {
		switch name {
		case "ip":
			context.IP = net.ParseIP(text(value))
		case "locale":
			context.Locale = text(value)
		case "timezone":
			context.Timezone = text(value)
		case "userAgent":
			context.UserAgent = text(value)
		case "campaign":
			campaign := value.(map[string]interface{})
			context.Campaign = analytics.CampaignInfo{Name: text(campaign["name"]),
				Source: text(campaign["source"]), Medium: text(campaign["medium"])}
		case "page":
			page := value.(map[string]interface{})
			context.Page = analytics.PageInfo{Path: text(page["path"]), URL: text(page["url"])}
		default:
			context.Extra[name] = value
		}
	}
	return context
}

func messageOf(c call) analytics.Message {
	context := contextOf(c)
	switch c.Type {
	case "identify":
		return analytics.Identify{MessageId: c.MessageID, AnonymousId: c.AnonymousID, UserId: c.UserID,
			Timestamp: c.Timestamp, Context: context, Traits: c.Traits, Integrations: c.Integrations}
	case "track":
		return analytics.Track{MessageId: c.MessageID, AnonymousId: c.AnonymousID, UserId: c.UserID, Event: c.Event,
			Timestamp: c.Timestamp, Context: context, Properties: c.Properties, Integrations: c.Integrations}
	case "page": // analytics-go has no category
		return analytics.Page{MessageId: c.MessageID, AnonymousId: c.AnonymousID, UserId: c.UserID, Name: c.Name,
			Timestamp: c.Timestamp, Context: context, Properties: c.Properties, Integrations: c.Integrations}
	case "screen":
		return analytics.Screen{MessageId: c.MessageID, AnonymousId: c.AnonymousID, UserId: c.UserID, Name: c.Name,
			Timestamp: c.Timestamp, Context: context, Properties: c.Properties, Integrations: c.Integrations}
	case "group":
		return analytics.Group{MessageId: c.MessageID, AnonymousId: c.AnonymousID, UserId: c.UserID,
			GroupId: c.GroupID, Timestamp: c.Timestamp, Context: context, Traits: c.Traits,
			Integrations: c.Integrations}
	}
	return analytics.Alias{MessageId: c.MessageID, PreviousId: c.PreviousID, UserId: c.UserID,
		Timestamp: c.Timestamp, Context: context, Integrations: c.Integrations}
}

// Its goroutines report here. Close() gives up retries that are under way, so we wait for every report first.
type reports struct{ done, failed atomic.Int32 }

func (r *reports) Success(analytics.Message) { r.done.Add(1) }
func (r *reports) Failure(_ analytics.Message, err error) {
	r.failed.Add(1)
	r.done.Add(1)
	log.Print(err)
}

func main() {
	bytesOfCalls, err := os.ReadFile(os.Getenv("ONYM_CALLS"))
	if err != nil {
		log.Fatal(err)
	}
	var calls []json.RawMessage
	if err := json.Unmarshal(bytesOfCalls, &calls); err != nil {
		log.Fatal(err)
	}
	reported := &reports{}
	client, err := analytics.NewWithConfig(os.Getenv("ONYM_KEY"), analytics.Config{
		Endpoint: os.Getenv("ONYM_URL"), Interval: 200 * time.Millisecond, BatchSize: 10, Callback: reported})
	if err != nil {
		log.Fatal(err)
	}
	pause, _ := strconv.Atoi(os.Getenv("ONYM_PAUSE_MS"))
	out := bufio.NewWriter(os.Stdout)
	for _, raw := range calls {
		var c call
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&c); err != nil {
			log.Fatal(err)
		}
		if err := client.Enqueue(messageOf(c)); err != nil {
			log.Fatal(err)
		}
		said := map[string]interface{}{}
		_ = json.Unmarshal(raw, &said)
		if c.Type == "page" {
			delete(said, "category")
		}
		line, _ := json.Marshal(said)
		fmt.Fprintf(out, "%s\n", line)
		out.Flush()
		time.Sleep(time.Duration(pause) * time.Millisecond)
	}
	for tries := 0; tries < 1200 && int(reported.done.Load()) < len(calls); tries++ {
		time.Sleep(100 * time.Millisecond)
	}
	client.Close()
	if reported.failed.Load() > 0 {
		os.Exit(1)
	}
}
