import Testing

@testable import Commands

@Suite("What the environment says")
struct EnvironmentTests {
  private let bare = Environment(
    noColor: false, forceColor: false, path: ["/usr/bin"], proxies: [], isRoot: false,
    workingDirectory: "/work")

  private func with(_ change: (inout Environment) -> Void) -> Environment {
    var environment = bare
    change(&environment)
    return environment
  }

  @Test("the home directory: option, INGOT_HOME, root's, XDG, HOME, in this order")
  func home() throws {
    let full = with {
      $0.ingotHome = "/i"
      $0.stateHome = "/x"
      $0.home = "/h"
      $0.isRoot = true
    }
    #expect(try full.homeDirectory(option: "rel") == "/work/rel")
    #expect(try full.homeDirectory(option: nil) == "/i")
    #expect(try with { $0.isRoot = true }.homeDirectory(option: nil) == "/var/lib/ingot")
    #expect(try with { $0.stateHome = "/x" }.homeDirectory(option: nil) == "/x/ingot")
    let relative = with {
      $0.stateHome = "x"
      $0.home = "/h"
    }
    #expect(try relative.homeDirectory(option: nil) == "/h/.local/state/ingot")
    #expect(throws: Failure.self) { try bare.homeDirectory(option: nil) }
  }

  @Test(
    "colour: the option first, then NO_COLOR, CLICOLOR_FORCE, the terminal",
    arguments: [
      (ColorChoice.auto, false, false, true, true), (.auto, false, false, false, false),
      (.auto, true, true, true, false), (.auto, false, true, false, true),
      (.never, false, true, true, false), (.always, true, false, false, true),
    ])
  func colour(
    choice: ColorChoice, noColor: Bool, force: Bool, isTerminal: Bool, isColored: Bool
  ) {
    let environment = with {
      $0.noColor = noColor
      $0.forceColor = force
    }
    #expect(Style.chosen(choice, environment, isTerminal: isTerminal).isColored == isColored)
  }

  @Test("tools get a path with the system's directories, and proxies")
  func tools() {
    let environment = with { $0.proxies = ["http_proxy=http://p:3128"] }
    #expect(
      environment.forTools == [
        "PATH=/usr/bin:/usr/sbin:/sbin:/bin", "http_proxy=http://p:3128",
      ])
  }
}
