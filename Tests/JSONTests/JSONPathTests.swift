import JSON
import Testing

@Suite("Paths into JSON")
struct JSONPathTests {
  private static let value: JSONValue = [
    "status": [
      "phase": "ready", "restarts": 3, "builtIn": false,
      "conditions": [
        ["type": "Ready", "status": "True", "age": 7],
        ["type": "Paused", "status": "False", "age": 12],
      ], "ports": ["lan/tcp/22": "tcp:127.0.0.1:40022"],
    ],
    "items": [1, 2, 3],
  ]

  @Test(
    "lead to values",
    arguments: [
      ("{.status.phase}", [JSONValue("ready")]), (".status.phase", ["ready"]),
      ("$.status.restarts", [3]), ("{.items[0]}", [1]), ("{.items[-1]}", [3]), ("{.items[3]}", []),
      ("{.items[-4]}", []), ("{.items[*]}", [1, 2, 3]), ("{.items.*}", [1, 2, 3]),
      ("{['status']['phase']}", ["ready"]),
      ("{.status.ports['lan/tcp/22']}", ["tcp:127.0.0.1:40022"]),
      (#"{.status.conditions[?(@.type=="Ready")].status}"#, ["True"]),
      ("{.status.conditions[?(@.type=='Ready')].status}", ["True"]),
      (#"{.status.conditions[?( @.type != "Ready" )].status}"#, ["False"]),
      ("{.status.conditions[?(@.age>=12)].type}", ["Paused"]),
      ("{.status.conditions[?(@.age<12)].type}", ["Ready"]),
      ("{.status.conditions[?(@.age>7.5)].type}", ["Paused"]),
      ("{.status.conditions[?(@.age<=7)].type}", ["Ready"]),
      ("{.status.conditions[?(@.nothing)].type}", []),
      ("{.status.conditions[?(@.age)].type}", ["Ready", "Paused"]),
      ("{.status.conditions[?(@.type>1)].type}", []), ("{.status.builtIn}", [false]),
      ("{.nothing.at.all}", []), ("{.status.phase.deeper}", []), ("{.status[0]}", []),
    ])
  func values(path: String, values: [JSONValue]) throws {
    #expect(try JSONPath(path).values(in: Self.value) == values)
  }

  @Test(
    "that can't be read are refused with the place",
    arguments: [
      ("", "empty"), ("{}", "empty"), ("status", "column 1"), ("{status}", "column 2"),
      ("{.status", "'}' is missing"), ("{.a}{.b}", "more than one"), ("{..a}", "'..'"),
      ("{.a[}", "column 5"), ("{.a[1:2]}", "slices"), ("{.a[1}", "']' is missing"),
      ("{.a[?(@.b=1)]}", "'=='"), ("{.a[?(@.b==x)]}", "quoted text"), ("{.a[?(b==1)]}", "'@'"),
      ("{.a['b]}", "no end"), ("{.a[?(@.b==1 && @.c==2)]}", "')' is missing"),
      ("{.a[?(@.b&&@.c)]}", "'&&'"), ("{.}", "a name"), ("{.a[99999999999999999999]}", "a number"),
      (
        "{" + String(repeating: ".a[?(@", count: 20) + String(repeating: ")]", count: 20) + "}",
        "nested too deeply"
      ),
    ])
  func problems(path: String, words: String) {
    let problem = #expect(throws: JSONPath.Problem.self) { try JSONPath(path) }
    #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
  }
}
