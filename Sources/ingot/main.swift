internal import Commands

await CommandLineTool.main()
