import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.AliasMessage;
import com.segment.analytics.messages.GroupMessage;
import com.segment.analytics.messages.IdentifyMessage;
import com.segment.analytics.messages.Message;
import com.segment.analytics.messages.MessageBuilder;
import com.segment.analytics.messages.PageMessage;
import com.segment.analytics.messages.ScreenMessage;
import com.segment.analytics.messages.TrackMessage;
import java.io.FileReader;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** analytics-java 3.5, unmodified. It ends when every message was reported as delivered or lost. */
public class Client {
  static final AtomicInteger done = new AtomicInteger();
  static final AtomicInteger failures = new AtomicInteger();

  static Object plain(JsonElement element) {
    if (element.isJsonObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      for (Map.Entry<String, JsonElement> e : element.getAsJsonObject().entrySet()) map.put(e.getKey(), plain(e.getValue()));
      return map;
    }
    if (element.isJsonArray()) {
      List<Object> list = new ArrayList<>();
      for (JsonElement e : element.getAsJsonArray()) list.add(plain(e));
      return list;
    }
    JsonPrimitive primitive = element.getAsJsonPrimitive();
    if (primitive.isBoolean()) return primitive.getAsBoolean();
    if (primitive.isNumber()) {
      double number = primitive.getAsDouble();
      if (number == Math.rint(number)) return primitive.getAsLong();
      return number;
    }
    return primitive.getAsString();
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> map(JsonObject call, String name) {
    return call.has(name) ? (Map<String, Object>) plain(call.get(name)) : null;
  }

  static String text(JsonObject call, String name) {
    return call.has(name) ? call.get(name).getAsString() : null;
  }

  static MessageBuilder<?, ?> builder(JsonObject call) {
    Map<String, Object> properties = map(call, "properties"), traits = map(call, "traits");
    switch (text(call, "type")) {
      case "identify": {
        IdentifyMessage.Builder b = IdentifyMessage.builder();
        return traits == null ? b : b.traits(traits);
      }
      case "track": {
        TrackMessage.Builder b = TrackMessage.builder(text(call, "event"));
        return properties == null ? b : b.properties(properties);
      }
      case "page": {   // analytics-java has no category
        PageMessage.Builder b = PageMessage.builder(text(call, "name"));
        return properties == null ? b : b.properties(properties);
      }
      case "screen": {
        ScreenMessage.Builder b = ScreenMessage.builder(text(call, "name"));
        return properties == null ? b : b.properties(properties);
      }
      case "group": {
        GroupMessage.Builder b = GroupMessage.builder(text(call, "groupId"));
        return traits == null ? b : b.traits(traits);
      }
      default:
        return AliasMessage.builder(text(call, "previousId"));
    }
  }

  static void enqueue(Analytics analytics, JsonObject call) {
    MessageBuilder<?, ?> b = builder(call);
    if (call.has("userId")) b.userId(text(call, "userId"));
    if (call.has("anonymousId")) b.anonymousId(text(call, "anonymousId"));
    if (call.has("messageId")) b.messageId(text(call, "messageId"));
    if (call.has("timestamp")) b.timestamp(Date.from(Instant.parse(text(call, "timestamp"))));
    if (call.has("context")) b.context(map(call, "context"));
    if (call.has("integrations"))
      for (Map.Entry<String, Object> e : map(call, "integrations").entrySet())
        b.enableIntegration(e.getKey(), (Boolean) e.getValue());
    analytics.enqueue(b);
  }

  public static void main(String[] arguments) throws Exception {
    String pause = System.getenv("ONYM_PAUSE_MS");
    Analytics analytics = Analytics.builder(System.getenv("ONYM_KEY"))
        .endpoint(System.getenv("ONYM_URL"))
        .flushQueueSize(10)
        .flushInterval(1000, TimeUnit.MILLISECONDS)
        .callback(new Callback() {
          @Override public void success(Message message) { done.incrementAndGet(); }
          @Override public void failure(Message message, Throwable error) {
            System.err.println(message.type() + ": " + error);
            failures.incrementAndGet();
            done.incrementAndGet();
          }
        })
        .build();
    JsonArray calls = JsonParser.parseReader(new FileReader(System.getenv("ONYM_CALLS"))).getAsJsonArray();
    Gson gson = new Gson();
    for (JsonElement element : calls) {
      JsonObject call = element.getAsJsonObject();
      enqueue(analytics, call);
      if (text(call, "type").equals("page")) call.remove("category");
      System.out.println(gson.toJson(call));
      if (pause != null) Thread.sleep(Long.parseLong(pause));
    }
    analytics.flush();
    for (int i = 0; i < 1200 && done.get() < calls.size(); i++) Thread.sleep(100);
    analytics.shutdown();
    System.exit(failures.get() > 0 || done.get() < calls.size() ? 1 : 0);
  }
}
